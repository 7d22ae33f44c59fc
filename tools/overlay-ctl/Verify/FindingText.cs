using System.Linq;
using System.Text;

namespace Overlay.Ctl.Verify;

/// <summary>Names on a terminal.</summary>
internal static class FindingText
{
    /// <summary>A name may hold line ends and what a terminal takes for commands.</summary>
    internal static string Escape(string path)
    {
        if (!path.Any(char.IsControl))
            return path;
        StringBuilder escaped = new();
        foreach (char c in path)
            escaped.Append(char.IsControl(c) ? $"\\x{(int)c:x2}" : c.ToString());
        return escaped.ToString();
    }
}
