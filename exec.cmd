@rem `exec` of POSIX shells for package.json and nest-cli.json on Windows.
@%*
