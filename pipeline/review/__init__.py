"""Correcting a transcript in the browser while listening: what the page shows, and the local server that saves it."""
