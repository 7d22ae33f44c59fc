using Overlay.Metadata.Policy;

namespace Overlay.Metadata.Tests.Policy;

/// <summary>alice is 1001, staff is 50.</summary>
internal sealed class FixedAccounts : IAccounts
{
    public uint? FindUser(string name) => name == "alice" ? 1001 : null;

    public uint? FindGroup(string name) => name == "staff" ? 50 : null;
}
