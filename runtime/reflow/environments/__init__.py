"""Environments of packages: what `@pypi` and `@conda` ask for, made once, kept beside the user's other caches."""
