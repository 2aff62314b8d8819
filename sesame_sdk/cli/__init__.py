"""The ``sesame`` command: one module a command group, none of them imported before it is asked for.

Data goes to stdout (a table, or JSON with ``--json``), everything else to stderr. Exit codes:

==== ==============================================================
0    done
1    a fault of ours; run again with ``--debug`` and report it
2    wrong usage or set-up: an option, a file, a key, a plugin
3    refused by the guard
4    rejected: the input or the message is wrong
5    try again later: the network, a busy hub, a full outbox
130  interrupted
==== ==============================================================
"""
