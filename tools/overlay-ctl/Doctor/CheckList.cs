using System.Collections.Generic;
using System.Linq;

namespace Overlay.Ctl.Doctor;

/// <summary>Checks in the order in which they were made.</summary>
internal sealed class CheckList
{
    private readonly List<Check> _checks = [];
    private string _group = "";

    internal IReadOnlyList<Check> All => _checks;

    internal bool HasFailed => _checks.Any(check => check.State == CheckState.Fail);

    internal int Count(CheckState state) => _checks.Count(check => check.State == state);

    internal void Begin(string group) => _group = group;

    internal void Ok(string name, string finding) => _checks.Add(new Check(_group, name, CheckState.Ok, finding, ""));

    internal void Warn(string name, string finding, string remedy) => _checks.Add(new Check(_group, name, CheckState.Warn, finding, remedy));

    internal void Fail(string name, string finding, string remedy) => _checks.Add(new Check(_group, name, CheckState.Fail, finding, remedy));
}
