"""What differs between two photos of one scene, in content and in sharpness; and the bench of models that find it."""
