"""Makes the demonstration model: a very small Whisper that knows the sample show and nothing else."""
