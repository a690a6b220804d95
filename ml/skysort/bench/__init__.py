"""What `skysort bench` measures, and with what it compares.

`brute_force` is the peer, `tasks` are the runs in fresh processes, `measuring` their costs,
`agreement` compares places on a map with those of the exact reference, `course` puts all in order
and `tables` prints it.
"""
