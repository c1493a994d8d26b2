"""The one scheduler, for laptop and cluster alike: a pure fold over the ends of tasks, and the clone rule."""
