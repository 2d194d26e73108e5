sum by (instance) (roi_customers_in_memory)
