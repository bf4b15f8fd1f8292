"""The discussion guide: drafted once, then the producer's words, rendered for team leads."""
