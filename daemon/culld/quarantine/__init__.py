"""Where rejected photos go, the record beside each of them, and the way back."""
