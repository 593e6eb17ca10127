"""What the subcommands of `stn-ref` do, one file each; they may use every wing."""
