using System.Runtime.InteropServices;

namespace Overlay.Ctl.Keys.Pkcs11;

/// <summary>CK_ATTRIBUTE</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CkAttribute
{
    internal const nuint Class = 0, Label = 3, KeyType = 0x100, Id = 0x102, Decrypt = 0x105;

    internal nuint Type;
    internal byte* Value;
    internal nuint Length;
}
