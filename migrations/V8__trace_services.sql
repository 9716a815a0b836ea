-- Traces by the services that took part.

CREATE INDEX traces_services ON traces USING gin (services);
COMMENT ON INDEX traces_services IS 'Finds the traces of a service that has few of them; those of one that has many are soon found by traces_start.';
