"""Reelscore: give it a video, get the video back with music made for it."""
