"""The schema, one numbered SQL file a step; infra/migrate.py applies them."""
