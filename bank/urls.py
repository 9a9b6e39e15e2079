"""Where everything is found."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import path

from . import health, task_views, views
from .access import views as access

handler400 = "bank.outage.bad_request"
handler500 = "bank.outage.server_error"

urlpatterns = [
    path("", views.desk, name="desk"),
    path("accounts/", views.accounts, name="accounts"),
    path("accounts/open/", task_views.open_account, name="open_account"),
    path("accounts/<int:account_id>/", views.account, name="account"),
    path("accounts/<int:account_id>/deposit/", task_views.deposit, name="deposit"),
    path("accounts/<int:account_id>/withdraw/", task_views.withdraw, name="withdraw"),
    path("accounts/<int:account_id>/unlock/", task_views.unlock, name="unlock"),
    path("accounts/<int:account_id>/pin/", task_views.change_pin, name="change_pin"),
    path("receipts/<uuid:command_id>/", views.receipt, name="receipt"),
    path("days/", views.days, name="days"),
    path("login/", access.LogIn.as_view(), name="login"),
    path("login/code/", access.code, name="code"),
    path("login/second-factor/", access.first_second_factor, name="first_second_factor"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("confirm/", access.confirm, name="confirm"),
    path("own/", access.own, name="own"),
    path("own/password/", access.ChangePassword.as_view(), name="password"),
    path("own/second-factor/", access.own_second_factor, name="second_factor"),
    path("own/sessions/", access.end_sessions, name="end_sessions"),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
