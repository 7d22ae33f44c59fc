using System.Runtime.InteropServices;

namespace Overlay.Ctl.Keys.Pkcs11;

/// <summary>CK_MECHANISM</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CkMechanism
{
    internal const nuint RsaOaep = 9;

    internal nuint Type;
    internal void* Parameter;
    internal nuint ParameterLength;
}

/// <summary>CK_RSA_PKCS_OAEP_PARAMS</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct OaepParameters
{
    /// <summary>SHA-1, with which nearly all tokens do OAEP; nothing of its weakness matters there.</summary>
    internal const nuint Sha1 = 0x220, MaskBySha1 = 1, SourceData = 1;

    internal nuint Hash;
    internal nuint Mask;
    internal nuint Source;
    internal void* SourceBytes;
    internal nuint SourceLength;
}
