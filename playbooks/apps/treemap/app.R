# Live treemap of the trades that trade-counter counts in Redis.
# Shiny loads the files in R/ by itself.

library(shiny)

poll_seconds <- 2

#' One tab: title with its total, a note, and the box that www/treemap.js fills.
panel <- function(id, title, total_id) {
  tabPanel(title[1], value = id, tags$section(
    id = id, class = "panel-treemap",
    tags$h1(title[2], tags$span(id = total_id, "\u2026", .noWS = "outside"), title[3]),
    tags$p(class = "note", role = "status"),
    tags$div(class = "treemap", tags$p(class = "empty", "Connecting \u2026"))
  ))
}

ui <- function(request) {
  tagList(
    tags$head(
      tags$title("Transactions"),
      tags$meta(name = "viewport", content = "width=device-width, initial-scale=1"),
      # No slash in front: the page also lives behind a proxy's path.
      tags$link(rel = "stylesheet", href = "treemap.css"),
      tags$script(src = "treemap.js")
    ),
    bootstrapPage(tabsetPanel(
      id = "tab", type = "pills",
      panel("count", c("Transactions", "Transactions (N=", ")"), "total"),
      panel("value", c("Value in USD", "Traded value (", ")"), "value-total")
    ))
  )
}

# One poll for all sessions.
polled <- reactiveValues(trades = NULL, prices = NULL)

start_polling <- function() {
  read_trades <- trade_reader(Sys.getenv("REDIS_URL", "redis://127.0.0.1:6379"),
                              Sys.getenv("REDIS_PREFIX", "trades"))
  read_prices <- price_reader()
  observe({
    invalidateLater(1000 * poll_seconds, session = NULL)
    polled$trades <- read_trades()
    polled$prices <- read_prices()
  }, domain = NULL)
}

server <- function(input, output, session) {
  # A box that was never shown has no size yet; its total is wanted all the same.
  send <- function(id, box, view, format_value) {
    width <- if (is.null(box)) 960 else box$width
    height <- if (is.null(box)) 540 else box$height
    session$sendCustomMessage("treemap", list(
      id = id, total = view$total, note = view$note, empty = view$empty, stale = view$stale,
      tiles = make_tiles(view$values, width, height, format_value)
    ))
  }
  observe(send("count", input$count_box, count_view(req(polled$trades)), format_count))
  observe(send("value", input$value_box, value_view(req(polled$trades), req(polled$prices)),
               format_usd_short))
}

shinyApp(ui, server, onStart = start_polling)
