@rem The scripts of package.json begin with the exec of a Unix shell; on Windows this stands in for it.
@%*
