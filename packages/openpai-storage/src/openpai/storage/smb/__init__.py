"""SMB shares: Samba, Azure Files."""
