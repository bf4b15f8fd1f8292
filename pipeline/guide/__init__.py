"""Discussion guides: drafted once, edited by the producer, rendered for facilitators."""
