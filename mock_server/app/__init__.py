"""The Flask app and its options. May import admin and the rooms above."""
