#* @get /prices
function() data.table::fread("x.csv")
