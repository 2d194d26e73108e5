TRUNCATE TABLE roi.peer_campaigns;

TRUNCATE TABLE roi.peer_activity;
