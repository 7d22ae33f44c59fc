using System.Globalization;
using System.Text;
using Overlay.Metadata.Agent;

namespace Overlay.Ctl.Metrics;

/// <summary>The text exposition format of Prometheus, version 0.0.4: for each name HELP, TYPE, then all its samples.</summary>
internal sealed class MetricsText
{
    internal const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();
    private string _name = "";

    /// <summary>Samples that follow are of this name.</summary>
    internal MetricsText Begin(string name, string type, string help)
    {
        _name = name;
        _text.Append("# HELP ").Append(name).Append(' ').Append(help.Replace("\\", @"\\", System.StringComparison.Ordinal).Replace("\n", @"\n", System.StringComparison.Ordinal)).Append('\n');
        _text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
        return this;
    }

    internal MetricsText Counter(string name, string help) => Begin(name, "counter", help);

    internal MetricsText Gauge(string name, string help) => Begin(name, "gauge", help);

    internal MetricsText Sample(double value, params (string Name, string Value)[] labels) => Line("", labels, value.ToString("R", CultureInfo.InvariantCulture));

    internal MetricsText Sample(ulong value, params (string Name, string Value)[] labels) => Line("", labels, value.ToString(CultureInfo.InvariantCulture));

    internal MetricsText Sample(long value, params (string Name, string Value)[] labels) => Line("", labels, value.ToString(CultureInfo.InvariantCulture));

    /// <summary>Of one histogram, or of the sum of several.</summary>
    internal MetricsText Histogram(string name, string help, params LatencyHistogram[] histograms)
    {
        _ = Begin(name, "histogram", help);
        for (int i = 0; i <= LatencyHistogram.Bounds.Length; i++)
        {
            long count = 0;
            foreach (LatencyHistogram histogram in histograms)
                count += histogram.CountUpTo(i);
            bool isLast = i == LatencyHistogram.Bounds.Length;
            _ = Line("_bucket", [("le", isLast ? "+Inf" : LatencyHistogram.Bounds[i].ToString("R", CultureInfo.InvariantCulture))], count.ToString(CultureInfo.InvariantCulture));
            if (isLast)
                _ = Line("_count", [], count.ToString(CultureInfo.InvariantCulture));
        }
        double seconds = 0;
        foreach (LatencyHistogram histogram in histograms)
            seconds += histogram.Seconds;
        return Line("_sum", [], seconds.ToString("R", CultureInfo.InvariantCulture));
    }

    public override string ToString() => _text.ToString();

    private MetricsText Line(string suffix, (string Name, string Value)[] labels, string value)
    {
        _text.Append(_name).Append(suffix);
        for (int i = 0; i < labels.Length; i++)
            _text.Append(i == 0 ? '{' : ',').Append(labels[i].Name).Append("=\"").Append(Escape(labels[i].Value)).Append('"');
        if (labels.Length > 0)
            _text.Append('}');
        _text.Append(' ').Append(value).Append('\n');
        return this;
    }

    private static string Escape(string value) =>
        value.Replace("\\", @"\\", System.StringComparison.Ordinal).Replace("\"", "\\\"", System.StringComparison.Ordinal).Replace("\n", @"\n", System.StringComparison.Ordinal);
}
