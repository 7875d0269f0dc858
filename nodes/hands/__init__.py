"""Hands: found, followed by 21 landmarks, and how much of each pixel they cover."""
