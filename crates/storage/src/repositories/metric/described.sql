/* metric: described series */
SELECT s.id, s.project_id, s.metric_id, s.resource_id, s.scope_id, s.attributes, s.attributes_layout,
       m.id, m.project_id, m.kind, m.temporality, m.is_monotonic, m.name, m.unit, m.description, m.metadata, m.metadata_layout
FROM metric_series AS s
JOIN metrics AS m ON m.id = s.metric_id AND m.project_id = s.project_id
WHERE s.id = ANY ($1) AND s.project_id = $2
