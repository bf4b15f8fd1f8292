"""Makes the sample show's raw recordings from its written text: voices by espeak-ng, music by arithmetic."""
