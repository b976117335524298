"""Files on a file server: SFTP, SMB."""
