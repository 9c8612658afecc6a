package web

import "strings"

// deviceLabel says in few words which browser it is, by its User-Agent: enough
// for somebody to know the own phone again. "" if it tells nothing.
func deviceLabel(agent string) string {
	var parts []string
	for _, of := range [][]struct{ mark, name string }{
		{{"Zalo", "Zalo"}, {"FBAN/Messenger", "Messenger"}, {"Orca-Android", "Messenger"}, {"FBAN", "Facebook"}, {"FB_IAB", "Facebook"},
			{"SamsungBrowser", "Samsung Internet"}, {"coc_coc", "Cốc Cốc"}, {"EdgA", "Edge"}, {"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox", "Firefox"},
			{"FxiOS", "Firefox"}, {"CriOS", "Chrome"}, {"Chrome", "Chrome"}, {"Safari", "Safari"}},
		{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"CrOS", "ChromeOS"}, {"Macintosh", "Mac"}, {"Linux", "Linux"}},
	} {
		for _, v := range of {
			if strings.Contains(agent, v.mark) {
				parts = append(parts, v.name)
				break
			}
		}
	}
	return strings.Join(parts, ", ")
}

// innerBrowser names the app in whose own browser a page was opened, "" for a
// browser of its own. What is kept in such a browser is often thrown away with
// the app's cache, and nobody finds the way back to it.
func innerBrowser(agent string) string {
	for _, app := range []struct{ mark, name string }{
		{"Zalo", "Zalo"}, {"FBAN/Messenger", "Messenger"}, {"Orca-Android", "Messenger"}, {"FBAN", "Facebook"}, {"FBAV", "Facebook"}, {"FB_IAB", "Facebook"},
		{"Instagram", "Instagram"}, {"TikTok", "TikTok"}, {"BytedanceWebview", "TikTok"}, {"Line/", "LINE"}, {"Viber", "Viber"},
	} {
		if strings.Contains(agent, app.mark) {
			return app.name
		}
	}
	if strings.Contains(agent, "; wv)") { // Android's WebView, in whatever app
		return "app"
	}
	return ""
}
