#* @get /healthz
function() "ok"
