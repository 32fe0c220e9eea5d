#* @get /x
function() 1
