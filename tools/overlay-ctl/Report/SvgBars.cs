using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Net;
using System.Text;

namespace Overlay.Ctl.Report;

/// <summary>A chart of horizontal bars, as a drawing inside of a page.</summary>
internal static class SvgBars
{
    private const int RowHeight = 24, LabelWidth = 260, BarWidth = 320, ValueWidth = 100;

    internal static string Draw(string title, IReadOnlyList<(string Label, long Value)> bars)
    {
        if (bars.Count == 0)
            return $"<p class=\"none\">{Encode(title)}: nothing recorded.</p>";
        long most = Math.Max(1, bars.Max(bar => bar.Value));
        int height = bars.Count * RowHeight;
        StringBuilder drawing = new();
        drawing.Append(CultureInfo.InvariantCulture, $"<figure><figcaption>{Encode(title)}</figcaption><svg role=\"img\" aria-label=\"{Encode(title)}\" viewBox=\"0 0 {LabelWidth + BarWidth + ValueWidth} {height}\" width=\"{LabelWidth + BarWidth + ValueWidth}\" height=\"{height}\">");
        for (int i = 0; i < bars.Count; i++)
        {
            double width = Math.Max(bars[i].Value > 0 ? 1 : 0, (double)bars[i].Value / most * BarWidth);
            int y = i * RowHeight;
            drawing.Append(CultureInfo.InvariantCulture, $"<text x=\"{LabelWidth - 8}\" y=\"{y + 16}\" text-anchor=\"end\">{Encode(Shorten(bars[i].Label))}</text>")
                .Append(CultureInfo.InvariantCulture, $"<rect x=\"{LabelWidth}\" y=\"{y + 4}\" width=\"{width:0.#}\" height=\"{RowHeight - 8}\"/>")
                .Append(CultureInfo.InvariantCulture, $"<text x=\"{LabelWidth + width + 6:0.#}\" y=\"{y + 16}\">{bars[i].Value}</text>");
        }
        return drawing.Append("</svg></figure>").ToString();
    }

    private static string Shorten(string label)
    {
        const int Most = 36;
        return label.Length <= Most ? label : "…" + label[^(Most - 1)..];
    }

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
