"""The feed, its chapters and its ledger."""
