AND time BETWEEN $2 AND $4
AND (time, time_nanos) >= ($2, $3)
AND (time, time_nanos, id) < ($4, $5, $6)
/* conditions */
ORDER BY time DESC, time_nanos DESC, id DESC
LIMIT $7
