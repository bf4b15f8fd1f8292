"""The text a person corrects, its times, and every form it is published in."""
