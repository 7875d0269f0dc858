"""Faces in a picture: detector, landmarks, pose and expression, from published network files."""
