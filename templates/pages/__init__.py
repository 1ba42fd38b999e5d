"""A frozen value per page: everything that it prints, chosen and ordered, and nothing rounded yet."""
