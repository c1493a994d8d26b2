"""A flow's graph: its steps and where each goes next. Pure: from a syntax tree or a class to typed values,
and lint."""
