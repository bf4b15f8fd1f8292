"""The listening pages: static HTML that needs no script, no account and no other server."""
