"""What runs in the cluster: watches FlowRuns and Resumes, and starts one Pod for each task.

The engine decides, the store remembers, this package only launches and hears of ends. It never runs user
code.
"""
