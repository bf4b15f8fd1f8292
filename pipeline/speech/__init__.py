"""Speech recognition: Whisper behind one interface, filtering of its hallucinations, and doubts about the result."""
