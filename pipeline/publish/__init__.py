"""Publishing: what to upload, to a folder or to a bucket, as a transaction that is checked from outside."""
