"""The store and the processes come to harm, at random moments: nothing finished is lost, and everything is said.

`REFLOW_FAULTS_SEED=n pytest …` plays the rounds of seed n again; each test prints its own.
"""
