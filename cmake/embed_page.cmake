# cmake -D from=FOLDER -D to=FILE.cpp -P embed_page.cmake: one page of index.html, page.css and the scripts, as a string.
file(READ "${from}/index.html" page)
file(READ "${from}/page.css" style)
set(script "")
foreach(name IN ITEMS map plots page)
  file(READ "${from}/${name}.js" part)
  string(APPEND script "${part}\n")
endforeach()
string(REPLACE "/* page.css */" "${style}" page "${page}")
string(REPLACE "/* scripts */" "${script}" page "${page}")
file(WRITE "${to}" "#include \"tools/zmq-monitor/web_server.hpp\"

namespace processhub::monitor {
std::string_view web_page() {
  static constexpr std::string_view kPage = R\"page(${page})page\";
  return kPage;
}
}  // namespace processhub::monitor
")
