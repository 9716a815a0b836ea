-- Traces by the services that took part.

-- An index entry has at most about 2,700 bytes, and the name of a service may be longer. Names of up to 500 bytes together,
-- which are nearly all, are found to be short without a look at each.
CREATE FUNCTION observatory_service_keys(services text[])
RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF octet_length(array_to_string(services, '')) <= 500 THEN
        RETURN services;
    END IF;
    RETURN ARRAY(SELECT left(name, 500) FROM unnest(services) AS name);
END $$;
COMMENT ON FUNCTION observatory_service_keys IS 'Names of services as the index traces_services has them: their first 500 characters.';

CREATE INDEX traces_services ON traces USING gin (observatory_service_keys(services));
COMMENT ON INDEX traces_services IS 'Finds the traces of a service that has few of them; those of one that has many are soon found by traces_start.';
