"""The way of a request through the stages to a response. May import faults and the rooms above."""
