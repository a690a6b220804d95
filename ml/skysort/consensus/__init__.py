"""Turns volunteers' votes and the machine's projections into class probabilities.

The way through this room::

    votes on items ---> dawid_skene   who answers how; what each item is
                             |
    assignments    ---> projection    what each subject is, from its prototype and its own votes
                             |
                        merge         the door: both steps, arrays in and arrays out

Only `merge.merge` is called from outside, so a fuller model (a learnt head on invariant features,
membership from grid votes, the next question) enters behind that one function. Beside it stand
`accuracy`, which scores probabilities against truth, `calibration` and `audit`, which make them
honest and tell how good they are by the votes on the audit sample, where no truth is known, and
`simulation`, which invents volunteers.
All of it is numpy alone.
"""
