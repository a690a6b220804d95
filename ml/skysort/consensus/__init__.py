"""Turns volunteers' votes and the machine's projections into class probabilities.

The way through this room::

    votes, judgments ---> dawid_skene   who answers how (judgments: grids; dependence: echoes)
                              | ^
    assignments ------> projection      what prototypes say of their members
                              v |
    features ---------> head            what look-alikes anywhere say beyond that (kernel_map)
                              |
                          evidence      all of it adds up; where each label comes from
                              |
                          merge         the door: arrays in and arrays out
                              |
                  +-----------+-----------+
              calibration, audit      next_question
              honest by the audit     what is worth asking

Beside them stand `vote_model` (votes alone, with its guards), `baselines` (a count, plain
Dawid-Skene), `online` (one vote between two merges), `tags` (any number of them on an item),
`crowd_tables` (votes as CSV), `accuracy` (figures where the truth is known), `simulation` (invented
volunteers) and `experiment` (the whole loop with them). All of it is numpy alone.
"""
