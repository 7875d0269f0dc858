"""The head behind the landmarks: who somebody is, how they play, and where their head is."""
