"""The listening pages, readable without a script, an account or another server."""
