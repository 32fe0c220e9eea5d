#* @get /ping
function() "pong"
